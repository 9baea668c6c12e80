# SPDX-License-Identifier: MIT
"""An authority of a test's own, and certificates that it signs. Made by openssl."""
import subprocess


def _openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


class Authority:
    def __init__(self, folder):
        folder.mkdir(parents=True)
        self.folder = folder
        self.certificate = folder / "ca.pem"
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                 "/CN=An authority", "-keyout", folder / "ca.key", "-out", self.certificate)

    def sign(self, name, *names):
        """(key, certificate) for these names, such as "DNS:db.example" and "IP:127.0.0.1"."""
        key, request, certificate, more = (self.folder / (name + end) for end in (".key", ".csr", ".pem", ".ext"))
        more.write_text("subjectAltName=" + ",".join(names) + "\n")
        _openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}",
                 "-keyout", key, "-out", request)
        _openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.folder / "ca.key", "-CAcreateserial",
                 "-days", "2", "-extfile", more, "-out", certificate)
        return key, certificate
