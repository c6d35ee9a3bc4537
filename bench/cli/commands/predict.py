"""`predict RUN/CELL IMAGE OUT`: segment an image with a trained cell."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli import options


def command(
    cell: Annotated[Path, typer.Argument(help="A cell: RUN/cells/ID, or RUN/ID.", show_default=False)],
    images: Annotated[list[Path], typer.Argument(help="The image (one file per channel), then the file to write.")],
    roi: Annotated[Path | None, typer.Option(help="Label map of the region of interest.", show_default=False)] = None,
    checkpoint: Annotated[str, typer.Option(help="best or last.")] = "best",
    device: options.DeviceOption = "auto",
    trust_plugins: options.TrustPluginsOption = False,
) -> None:
    """Segment an image with a trained cell and write the label map on the image's own grid."""
    from bench.execution.prediction import predict_file

    if len(images) < 2:
        raise typer.BadParameter("give the image first, then the file to write", param_hint="IMAGES")
    predict_file(
        cell,
        tuple(images[:-1]),
        images[-1],
        roi=roi,
        checkpoint=checkpoint,
        device=device,
        trust_plugins=trust_plugins,
    )
    print(images[-1])
