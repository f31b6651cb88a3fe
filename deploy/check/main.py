"""Checks deploy/ without a cluster: manifests against strict schemas, Envoy's configuration with Envoy, rules with promtool,
and each check with typos that it has to notice. Prints one line for each check; exits with 1 if one fails."""

import sys
import time
import traceback

import chart
import others

CHECKS = [
    chart.renders_valid_manifests,
    chart.cases_name_every_value,
    chart.notices_typos_in_manifests,
    chart.rejects_unknown_values,
    chart.knows_the_servers_options,
    chart.sums_up_the_times_of_a_shutdown,
    others.kserve_manifests_are_valid,
    others.job_is_valid,
    others.compose_file_is_valid,
    others.envoy_accepts_its_configuration,
    others.alerts_fire_on_their_causes,
    others.dashboard_has_valid_expressions,
    others.variables_are_options_of_the_server,
    others.versions_are_the_same,
]


def main() -> int:
    failed = 0
    for check in CHECKS:
        started_at = time.monotonic()
        name = check.__name__.replace("_", " ")
        try:
            what = check()
        except Exception as error:
            failed += 1
            # A failed assertion says what is wrong; anything else is a fault of the check.
            print(f"FAILED {name}: {error if isinstance(error, AssertionError) else traceback.format_exc()}")
        else:
            print(f"ok {name} ({what}, {time.monotonic() - started_at:.1f} s)")
    print(f"{len(CHECKS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
