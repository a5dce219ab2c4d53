"""Values and names written into SQL where a prepared statement takes none, such as paths."""


def literal(value: object) -> str:
    """Write *value* as a text in SQL."""
    return "'" + str(value).replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Write *name* as the name of a table or a column in SQL."""
    return '"' + name.replace('"', '""') + '"'
