"""Which errors are a person's to act on: those are shown as a sentence, without a traceback."""


class RefusedError(Exception):
    """A gate says no; exit code 3."""


def expected_errors() -> tuple[type[Exception], ...]:
    """Collect the errors whose message says what to do."""
    from feature_repo import contract, lock, online, settings, training
    from feature_repo.errors import PublishError
    from models_ml import config, recommender, train, training_set
    from orchestration import model_store, runs
    from orchestration.assets import elt
    from orchestration.landing.errors import LandingError
    from orchestration.sample import SampleError
    from serving import bento, champion, index, keys, release, server, vault

    return (
        LandingError,
        PublishError,
        SampleError,
        bento.BentoError,
        champion.NoChampionError,
        config.UnknownPresetError,
        contract.ContractError,
        elt.DbtError,
        index.IndexFaultError,
        keys.KeyFaultError,
        lock.LockError,
        model_store.NoModelError,
        model_store.NoTrainingSetError,
        model_store.WrongModelError,
        online.OnlineStoreUnavailable,
        recommender.ModelFolderError,
        release.ReleaseError,
        runs.BusyError,
        runs.NoSourceError,
        runs.RunFailedError,
        server.ServerError,
        settings.SettingsError,
        train.NothingToLearnError,
        train.OtherRunError,
        training.TrainingSetError,
        training_set.TrainingSetError,
        vault.VaultError,
    )
