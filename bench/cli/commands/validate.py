"""`validate SUITE`: check a suite and print what running it would do."""

from __future__ import annotations

from bench.cli import options


def command(
    suite: options.SuiteArgument,
    profile: options.ProfileOption = None,
    overrides: options.SetOption = None,
    methods: options.MethodsOption = None,
    seeds: options.SeedsOption = None,
    folds: options.FoldsOption = None,
    device: options.DeviceOption = "auto",
    out: options.OutOption = None,
) -> None:
    """Check a suite without running it and print the plan: cells, what is done, estimated cost, profile and why."""
    from bench.execution.planning import plan_request
    from bench.execution.preview import describe_plan

    request = options.request(suite, profile, overrides, methods, seeds, folds, out)
    for line in describe_plan(plan_request(request, read_data=False), device):
        print(line)
