"""A certificate authority of the test run's own, and the certificate that every test server shows."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Final

import attrs
import trustme

if TYPE_CHECKING:
    from pathlib import Path

SERVER_NAMES: Final = ("mail.acme.example", "localhost", "127.0.0.1")
"""What the certificate of each server is valid for."""


@attrs.frozen
class Authority:
    """The authority: `ca_file` is what a client has to trust; `ca` issues further certificates."""

    ca: trustme.CA
    ca_file: Path
    certificate: trustme.LeafCert

    @classmethod
    def create(cls, folder: Path) -> Authority:
        """Makes an authority and the servers' certificate; `folder` receives the CA file."""
        ca = trustme.CA(organization_name="Acme test authority")
        ca_file = folder / "ca.pem"
        ca.cert_pem.write_to_path(ca_file)
        return cls(ca, ca_file, ca.issue_cert(*SERVER_NAMES))

    def client_context(self) -> ssl.SSLContext:
        """A context that verifies chain and name, and trusts this authority alone."""
        return ssl.create_default_context(cafile=str(self.ca_file))

    def write_server_files(self, folder: Path) -> None:
        """Puts the servers' chain into server.pem and its key, for its owner only, into server.key."""
        chain = b"".join(pem.bytes() for pem in self.certificate.cert_chain_pems)
        (folder / "server.pem").write_bytes(chain)
        key_file = folder / "server.key"
        key_file.touch(mode=0o600)
        key_file.write_bytes(self.certificate.private_key_pem.bytes())
