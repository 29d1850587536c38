"""Where an image comes from: already here, else from a registry, else a stand-in made by the course's own recipe.

::

    from docker_tutor import images

    for provided in images.ensure(client, ["python:3.11-slim", "nginx"], report, disposable=True):
        print(provided.name, provided.source, provided.note)

    images.save_bundle(client, ["python:3.11-slim", "nginx"], Path("class.tar.gz"))   # and load_bundle in the class

Commands and Dockerfiles are never rewritten. A stand-in carries a label that says so, and a sentence for the reader.
"""

from docker_tutor.images.bundle import Content, contents, load_bundle, save_bundle
from docker_tutor.images.provided import Provided
from docker_tutor.images.reference import Reference
from docker_tutor.images.resolve import ensure

__all__ = ["Content", "Provided", "Reference", "contents", "ensure", "load_bundle", "save_bundle"]
