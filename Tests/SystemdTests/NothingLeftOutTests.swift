import Foundation
import Testing

/// Suites here are left out where the machine has not what they need, and say so. Where a change is judged that would hide
/// what is broken: as root with `CI=true` in the environment, what is missing is a failure.
@Suite(
    .enabled(
        if: ProcessInfo.processInfo.environment["CI"] == "true" && geteuid() == 0,
        "suites may be left out, unless root runs them with CI=true"))
struct NothingLeftOutTests {
    @Test(arguments: [
        ("a systemd machine", SystemdMachine.obstacle), ("braid as a service", Braid.obstacle),
        ("a journald", RealJournal.obstacle), ("the Debian package", DebianPackage.obstacle),
        ("unit files", Command.path(of: "systemd-analyze") == nil ? "needs systemd-analyze" : nil),
    ])
    func everySuiteRuns(suite: String, obstacle: String?) {
        #expect(obstacle == nil, "\(suite): \(obstacle ?? "")")
    }
}
