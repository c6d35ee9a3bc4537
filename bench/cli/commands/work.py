"""`work RUN`: be one worker of a run."""

from __future__ import annotations

from bench.cli import options


def command(
    run: options.RunArgument,
    device: options.DeviceOption = "auto",
    other_environment: options.OtherEnvironmentOption = False,
    trust_plugins: options.TrustPluginsOption = False,
) -> None:
    """Do the jobs of a run that nobody else is doing, until none is left. `run` starts workers by itself.

    Asked to stop by SIGTERM or Ctrl-C, it ends at the next safe point: after a training step, with a checkpoint.
    """
    from bench.cli.interruption import telling
    from bench.stopping import noting_signals

    with telling(), noting_signals():
        from bench.execution.kept import saying_what_is_kept
        from bench.execution.worker import work
        from bench.results.run_directory import RunDirectory

        directory = RunDirectory(run)
        with saying_what_is_kept(directory):
            work(directory, device, other_environment, trust_plugins)
