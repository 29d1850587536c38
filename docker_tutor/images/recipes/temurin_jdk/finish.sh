mkdir -p /opt/java
for folder in /usr/lib/jvm/java-[0-9]*-openjdk-*; do ln -sfn "$folder" /opt/java/openjdk; done
