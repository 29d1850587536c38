"""What the development file mounts over the image."""
