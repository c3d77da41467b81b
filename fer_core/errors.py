"""The exceptions this package raises on purpose.

Each message says what was expected, what came instead, and what to do. A page or the command
line shows them as they are; any other exception is a bug and surfaces as one.
"""


class FerError(Exception):
    """Base of every error this package raises on purpose."""


class DataError(FerError):
    """A data set, table or image is not what it should be."""


class ModelError(FerError):
    """A model, its weights or its card is missing, altered or of the wrong kind."""


class RunError(FerError):
    """A training run cannot start, resume or go on."""


class JobError(FerError):
    """A background job cannot start: another one of its kind runs, or there is no room for it."""


class MediaError(FerError):
    """An image or a video cannot be read or written."""


class TooManyPixelsError(MediaError):
    """An image has more pixels than may be read."""


class ArchiveError(FerError):
    """A folder of parts cannot be written, is in use, or belongs to another model or other choices."""


class ClusterError(FerError):
    """The processes that share work cannot be reached, or were named in a way that cannot be used."""


class ServiceError(FerError):
    """The service cannot be reached, or refused a request."""


class SessionError(FerError):
    """A recorded session cannot be written or read."""


class DependencyError(FerError):
    """A package of an optional extra is not installed."""


class SettingsError(FerError):
    """A setting or an environment variable has a value that cannot be used."""
