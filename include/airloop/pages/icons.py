"""Icons of Airflow's menu, as addresses that hold their picture: for the light and for the dark theme."""

from urllib.parse import quote

_SHAPES = {
    "loop": "M20 11a8 8 0 0 0-14-4.5L3 9M3 4v5h5M4 13a8 8 0 0 0 14 4.5l3-2.5M21 20v-5h-5",
    "layers": "m12 3 9 5-9 5-9-5zM3 12.5l9 5 9-5M3 17l9 5 9-5",
    "flask": "M9 3h6M10 3v6l-5.5 9.5A1.7 1.7 0 0 0 6 21h12a1.7 1.7 0 0 0 1.5-2.5L14 9V3M7.5 15h9",
}
# Airflow puts a dark ground below the chosen item, and cannot turn the lines of a picture: hence the halo.
_COLOURS = {"icon": ("#3f3f46", "#ffffffb0"), "icon_dark_mode": ("#e4e4e7", "none")}


def menu_icons(shape: str) -> dict[str, str]:
    """The keys `icon` and `icon_dark_mode` of an external view; `shape` is loop, layers or flask."""
    return {
        key: "data:image/svg+xml,"
        + quote(
            "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24' fill='none' stroke-linejoin='round' "
            f"stroke-linecap='round'><path d='{_SHAPES[shape]}' stroke='{halo}' stroke-width='4.5'/>"
            f"<path d='{_SHAPES[shape]}' stroke='{line}' stroke-width='2'/></svg>"
        )
        for key, (line, halo) in _COLOURS.items()
    }
