"""A server of TLS that answers a byte; says READY. `bench/tls.py` puts the certificate in."""

import socket
import ssl
import tempfile

PEM = "certificate"

with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
    file.write(PEM)
    file.flush()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file.name)
with socket.create_server(("0.0.0.0", 8443), backlog=64) as listening:
    print("READY", flush=True)
    while True:
        plain, _ = listening.accept()
        try:
            with context.wrap_socket(plain, server_side=True) as secure:
                secure.sendall(b"k")
        except OSError:
            # The client has left.
            plain.close()
