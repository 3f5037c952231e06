"""A certificate authority of the test run's own, and the certificate that every test server shows."""

from __future__ import annotations

import hashlib
import ssl
from typing import TYPE_CHECKING, Any, Final

import attrs
import trustme

if TYPE_CHECKING:
    from pathlib import Path

SERVER_NAMES: Final = ("mail.acme.example", "localhost", "127.0.0.1")
"""What the certificate of each server is valid for."""


@attrs.frozen
class Authority:
    """The authority: `ca_file` is what a client has to trust; `ca` issues further certificates.

    `client` is the certificate of a client that servers know by its fingerprint.
    """

    ca: trustme.CA
    ca_file: Path
    certificate: trustme.LeafCert
    client: trustme.LeafCert

    @classmethod
    def create(cls, folder: Path) -> Authority:
        """Makes an authority and the servers' certificate; `folder` receives the CA file."""
        ca = trustme.CA(organization_name="Acme test authority")
        ca_file = folder / "ca.pem"
        ca.cert_pem.write_to_path(ca_file)
        return cls(ca, ca_file, ca.issue_cert(*SERVER_NAMES), issue_client(ca))

    def client_context(self) -> ssl.SSLContext:
        """A context that verifies chain and name, and trusts this authority alone."""
        return ssl.create_default_context(cafile=str(self.ca_file))

    @property
    def client_fingerprint(self) -> str:
        """The SHA-256 of the client's certificate, as Postfix writes it."""
        der = ssl.PEM_cert_to_DER_cert(self.client.cert_chain_pems[0].bytes().decode())
        return hashlib.sha256(der).digest().hex(":").upper()

    def write_server_files(self, folder: Path) -> None:
        """Puts the servers' chain into server.pem, its key, for its owner only, into server.key, and ca.pem beside."""
        chain = b"".join(pem.bytes() for pem in self.certificate.cert_chain_pems)
        (folder / "server.pem").write_bytes(chain)
        self.ca.cert_pem.write_to_path(folder / "ca.pem")
        key_file = folder / "server.key"
        key_file.touch(mode=0o600)
        key_file.write_bytes(self.certificate.private_key_pem.bytes())


def issue_client(ca: trustme.CA, name: str = "orders@acme.example", **given: Any) -> trustme.LeafCert:
    """A certificate of *ca* for a client of this name."""
    return ca.issue_cert(name, common_name=name, **given)


def write_client_files(folder: Path, certificate: trustme.LeafCert) -> tuple[str, str]:
    """Puts a client's chain into client.pem, and its key, for its owner only, into client.key; returns both paths."""
    chain = b"".join(pem.bytes() for pem in certificate.cert_chain_pems)
    (folder / "client.pem").write_bytes(chain)
    key_file = folder / "client.key"
    key_file.touch(mode=0o600)
    key_file.write_bytes(certificate.private_key_pem.bytes())
    return str(folder / "client.pem"), str(key_file)
