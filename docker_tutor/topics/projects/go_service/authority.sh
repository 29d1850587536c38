# A certificate authority for a test, and a certificate of its own for the server `tls-server`.
set -e
mkdir -p /ca
cd /ca
openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj "/CN=authority of a test" -keyout ca.key -out ca.pem
openssl req -new -newkey rsa:2048 -nodes -subj "/CN=tls-server" -keyout server.key -out server.csr
echo "subjectAltName=DNS:tls-server" > names
openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 3650 -extfile names -out server.pem
