"""Presets by name, and as text."""

from dataclasses import fields, replace

from models_ml.presets import PRESETS, SMALL_SET, Preset, fitting, preset_named, run_name


def test_no_two_presets_have_the_same_text() -> None:
    texts = {preset.as_text() for preset in PRESETS.values()}
    assert len(texts) == len(PRESETS)


def test_a_change_of_any_setting_gives_another_name() -> None:
    base = preset_named("base")
    names = {run_name("base", base.as_text(), 0)}
    for field in fields(Preset):
        changed = replace(base, **{field.name: _other(getattr(base, field.name))})
        names.add(run_name("base", changed.as_text(), 0))
    assert len(names) == 1 + len(fields(Preset))


def test_a_setting_at_its_default_changes_no_name() -> None:
    assert "pre_norm" not in preset_named("base").as_text()
    assert "pre_norm" in replace(preset_named("base"), pre_norm=True).as_text()


def test_more_events_call_for_the_larger_preset() -> None:
    assert [fitting(events) for events in (0, SMALL_SET, SMALL_SET + 1)] == [
        "small", "small", "base",
    ]  # fmt: skip


def _other(value: object) -> object:
    if isinstance(value, bool):
        return not value
    return () if isinstance(value, tuple) else value + 1  # type: ignore[operator]
