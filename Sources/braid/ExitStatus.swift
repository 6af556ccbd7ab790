internal import ArgumentParser

/// Exit statuses after sysexits(3).
extension ExitCode {
    /// The answer is "no".
    static let no = ExitCode(1)
    /// The daemon cannot be reached (EX_UNAVAILABLE).
    static let unavailable = ExitCode(69)
    /// The operating system refused (EX_OSERR).
    static let systemRefused = ExitCode(71)
    /// The configuration is wrong (EX_CONFIG).
    static let badConfiguration = ExitCode(78)
}
