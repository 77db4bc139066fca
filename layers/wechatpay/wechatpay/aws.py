"""The AWS SDK, quick to start: botocore is the client inside boto3, without S3 transfers and resources."""

import botocore.session
from botocore.loaders import Loader


class _Models(Loader):
    """Says which services there are; botocore itself would look into the directories of hundreds, twice."""

    def __init__(self, services: tuple[str, ...]) -> None:
        super().__init__()
        self._services = services

    def list_available_services(self, type_name: str) -> list[str]:
        return list(self._services)


def session_for(*services: str) -> botocore.session.Session:
    """Return a session of the SDK for these services and no others.

    Credentials come from the environment or a container, as in Lambda: without STS it assumes no role.
    """
    session = botocore.session.get_session()
    session.register_component("data_loader", _Models(services))
    return session
