"""`cost SUITE`: time each method alone and show what it costs."""

from __future__ import annotations

from bench.cli import options


def command(
    suite: options.SuiteArgument,
    profile: options.ProfileOption = None,
    overrides: options.SetOption = None,
    methods: options.MethodsOption = None,
    device: options.DeviceOption = "auto",
    out: options.OutOption = None,
) -> None:
    """Measure what each method costs: time of a training step, peak memory, inference time, parameters.

    Every method takes the same fixed batch, in turns with the others. Let nothing else run meanwhile.
    """
    from bench.cli.progress import passing
    from bench.cost.measure import measure
    from bench.cost.writing import write_all
    from bench.execution.planning import plan_request
    from bench.report.measured_costs import terminal_lines

    planned = plan_request(options.request(suite, profile, overrides, methods, None, None, out), read_data=False)
    planned.run.refuse_unusable()  # before minutes of measuring
    record = measure(planned, device, passing)
    planned.run.create()
    for line in [*terminal_lines(record), "", *map(str, write_all(planned.run.path, record))]:
        print(line)
    if planned.run.run_file.is_file():
        print(f"`python -m bench report {planned.run.path}` puts these figures into its tables/costs.md")
