"""A plugin for MLflow's server: clients get files in S3 through the server alone.

Where MLflow's files are in S3, its server tells clients, and its own pages in the browser,
to fetch them from the store, at an address that it signs. Clients that cannot reach the
store wait for a minute, and get nothing. No setting of the server turns that off: it looks
whether the class of its repository can sign addresses, and this one cannot.

MLflow loads it by the entry point in the folder beside this file.
"""

from mlflow.entities import FileInfo
from mlflow.store.artifact.artifact_repo import ArtifactRepository
from mlflow.store.artifact.s3_artifact_repo import S3ArtifactRepository


class ProxiedS3ArtifactRepository(ArtifactRepository):
    """A folder of a bucket, by way of MLflow's own class, which raises the errors."""

    def __init__(
        self,
        artifact_uri: str,
        tracking_uri: str | None = None,
        registry_uri: str | None = None,
    ) -> None:
        super().__init__(artifact_uri, tracking_uri, registry_uri)
        self._s3 = S3ArtifactRepository(
            artifact_uri, tracking_uri=tracking_uri, registry_uri=registry_uri
        )

    def log_artifact(self, local_file: str, artifact_path: str | None = None) -> None:
        """Copy a file to a path below the folder."""
        self._s3.log_artifact(local_file, artifact_path)

    def log_artifacts(self, local_dir: str, artifact_path: str | None = None) -> None:
        """Copy the files of a folder to a path below this one."""
        self._s3.log_artifacts(local_dir, artifact_path)

    def list_artifacts(self, path: str | None = None) -> list[FileInfo]:
        """Return the files and folders at a path."""
        entries: list[FileInfo] = self._s3.list_artifacts(path)
        return entries

    def _download_file(self, remote_file_path: str, local_path: str) -> None:
        self._s3._download_file(remote_file_path, local_path)

    def delete_artifacts(self, artifact_path: str | None = None) -> None:
        """Delete a file, or all files below a path."""
        self._s3.delete_artifacts(artifact_path)
