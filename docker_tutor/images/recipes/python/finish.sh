# The official image's folder for what pip installs has another name than Debian's: both lead to the same place.
for folder in /usr/lib/python3.[0-9]*; do
    rm -f "$folder/EXTERNALLY-MANAGED"
    release=${folder##*/}
    mkdir -p "/usr/local/lib/$release/dist-packages"
    ln -sfn dist-packages "/usr/local/lib/$release/site-packages"
    ln -sf "../../bin/$release" "/usr/local/bin/$release"
done
