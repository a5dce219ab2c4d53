"""`python -m orchestration.cli.reference` writes every page and schema that follows from code."""

from orchestration.cli.reference.pages import SCHEMAS, made

if __name__ == "__main__":
    pages = made()
    for gone in {*SCHEMAS.glob("*.json")} - pages.keys():
        gone.unlink()
    for path, text in pages.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
