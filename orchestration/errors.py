"""Which errors are a person's to act on: those are shown as a sentence, without a traceback."""


class RefusedError(Exception):
    """A gate says no; exit code 3."""


def expected_errors() -> tuple[type[Exception], ...]:
    """Collect the errors whose message says what to do."""
    from feature_repo import contract, lock, publish, settings
    from models_ml import config, train, training_set
    from orchestration import model_store, runs
    from orchestration.assets import elt
    from orchestration.landing import LandingError
    from serving import bento, champion, index, release, server

    return (
        LandingError,
        bento.BentoError,
        champion.NoChampionError,
        contract.ContractError,
        config.UnknownPresetError,
        elt.DbtError,
        index.IndexFaultError,
        lock.LockError,
        model_store.NoModelError,
        model_store.NoTrainingSetError,
        model_store.WrongModelError,
        publish.PublishError,
        release.ReleaseError,
        runs.BusyError,
        runs.NoSourceError,
        runs.RunFailedError,
        server.ServerError,
        settings.SettingsError,
        train.NothingToLearnError,
        train.OtherRunError,
        training_set.TrainingSetError,
    )
