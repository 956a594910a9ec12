"""The bill of materials of what pip installs (CycloneDX 1.5): initd and the packages it stands on.

Law of this file: versions are those of the pins, licences and who needs whom are the packages' own words. The
bundle, which has an interpreter and libraries too, makes its own bill.
"""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import Distribution
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot5
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from initd import __version__
from scripts.bundle.pack import EPOCH
from scripts.bundle.packages import dependencies
from scripts.release import pins


def text() -> str:
    """The bill, the same for the same pins."""
    versions = pins.read(pins.RUNTIME.read_text())
    known = {str(canonicalize_name(each.name)): each for each in dependencies()}
    ours = _component("initd", __version__, "MIT", ComponentType.APPLICATION)
    parts = {name: _component(name, versions[name], _licence(known[name])) for name in versions}
    bom = Bom(components=parts.values(), serial_number=uuid5(NAMESPACE_URL, f"{ours.purl}#{versions}"))
    bom.metadata.component = ours
    bom.metadata.timestamp = datetime.fromtimestamp(EPOCH, UTC)
    bom.register_dependency(ours, parts.values())
    for name, part in parts.items():
        bom.register_dependency(part, [parts[other] for other in _needed(known[name]) if other in parts])
    return JsonV1Dot5(bom).output_as_string(indent=1) + "\n"


def _component(
    name: str, version: str, licence: str, kind: ComponentType = ComponentType.LIBRARY
) -> Component:
    purl = PackageURL("pypi", name=name, version=version)
    licences = [LicenseFactory().make_from_string(licence)] if licence else []
    return Component(name=name, version=version, type=kind, purl=purl, bom_ref=str(purl), licenses=licences)


def _licence(each: Distribution) -> str:
    return each.metadata["License-Expression"] or each.metadata["License"] or ""


def _needed(each: Distribution) -> list[str]:
    """Names, without what an extra asks for."""
    wanted = map(Requirement, each.requires or ())
    return [
        canonicalize_name(one.name) for one in wanted if not one.marker or one.marker.evaluate({"extra": ""})
    ]
