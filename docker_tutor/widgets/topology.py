"""The map of networks: go to a container or a network with Tab, choose it with Space, and see what it is joined to.

Without a kernel the picture of everything is left, and the same data as a table.
"""

import base64
import html
from typing import TYPE_CHECKING

from docker_tutor.classroom.bars import in_kernel
from docker_tutor.i18n import _
from docker_tutor.plots.topology import network_topology
from docker_tutor.topics.networks_topology import Topology

if TYPE_CHECKING:
    import ipywidgets

__all__ = ["NetworkMap"]


class NetworkMap:
    """Shows a topology as a row of names and a picture; the chosen container or network is described in words."""

    def __init__(self, topology: Topology) -> None:
        self.topology = topology
        self.chosen = next(iter(self.names), "")
        self._page: ipywidgets.HTML | None = None
        self._buttons: dict[str, ipywidgets.Button] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that can be chosen: the containers, then the networks."""
        networks = tuple(network.name for network in self.topology.networks)
        return tuple(dict.fromkeys((*self.topology.containers, *networks)))

    def choose(self, name: str) -> None:
        """Bring out one container or network. Raises KeyError when there is none of that name."""
        if name not in self.names:
            raise KeyError(name)
        self.chosen = name
        self._mark()
        if self._page is not None:
            self._page.value = self.page()

    def sentences(self) -> list[str]:
        """Say in words what the chosen one is joined to."""
        plugs = self.topology.plugs
        own = [plug for plug in plugs if plug.container == self.chosen]
        if not own:
            ends = [plug for plug in plugs if plug.network == self.chosen]
            return [_plug_words(plug.container, plug.address) for plug in ends] or [_("Nobody is plugged in.")]
        words = []
        for plug in own:
            others = sorted(each.container for each in plugs if each.network == plug.network and each is not plug)
            sentence = _("In {network} with {address}; neighbours there: {others}.")
            address, neighbours = plug.address or _("no address"), ", ".join(others) or _("nobody")
            words.append(sentence.format(network=plug.network, address=address, others=neighbours))
        ports = own[0].ports
        words.append(_("Published: {ports}.").format(ports=", ".join(ports) if ports else _("nothing")))
        return words

    def page(self) -> str:
        """Return the picture with the chosen one brought out, and what it is joined to, as HTML."""
        picture = network_topology(self.topology, chosen=self.chosen)
        image = base64.b64encode(picture.png).decode()
        alt = html.escape(picture.alt, quote=True)
        listed = "".join(f"<li>{html.escape(sentence)}</li>" for sentence in self.sentences())
        return (
            f"<img alt='{alt}' src='data:image/png;base64,{image}' style='max-width:100%'>"
            f"<div role='status'><strong>{html.escape(self.chosen)}</strong><ul>{listed}</ul></div>"
        )

    def _widget(self) -> "ipywidgets.VBox":
        import ipywidgets

        # Buttons and not a list box: JupyterLab keeps the arrow keys for itself.
        as_wide_as_its_name = ipywidgets.Layout(width="auto", min_width="6em")
        self._buttons = {name: ipywidgets.Button(layout=as_wide_as_its_name) for name in self.names}
        for name, button in self._buttons.items():
            button.on_click(lambda _button, name=name: self.choose(name))
        self._mark()
        row = ipywidgets.Layout(flex_flow="row wrap", max_height="12em", overflow="auto")
        choice = ipywidgets.Box(list(self._buttons.values()), layout=row)
        choice.add_class("docker-tutor-topology")
        self._page = ipywidgets.HTML(self.page())
        hint = ipywidgets.HTML(html.escape(_("Tab goes from one to the next, Space chooses:")))
        return ipywidgets.VBox([hint, choice, self._page])

    def _mark(self) -> None:
        for name, button in self._buttons.items():
            button.description = f"▸ {name}" if name == self.chosen else name
            button.button_style = "info" if name == self.chosen else ""

    def _repr_mimebundle_(self, **_wanted: object) -> dict[str, object]:
        bundle: dict[str, object] = dict(network_topology(self.topology)._repr_mimebundle_())
        if in_kernel():
            drawn = self._widget()._repr_mimebundle_()
            view = "application/vnd.jupyter.widget-view+json"
            bundle[view] = drawn[view]
        return bundle


def _plug_words(container: str, address: str) -> str:
    return _("{container}: {address}.").format(container=container, address=address or _("no address"))
