for folder in /usr/lib/go-[0-9]*; do ln -sfn "$folder" /usr/local/go; done
mkdir -p /go/src /go/bin
chmod -R 1777 /go
# Go's own tests and the record of its interfaces: nobody builds Go here.
rm -rf /usr/share/go-*/test /usr/share/go-*/api
