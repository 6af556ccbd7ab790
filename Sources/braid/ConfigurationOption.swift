internal import ArgumentParser
internal import Configuration
internal import LinuxSystem

/// `--config FILE`, and how a wrong one is told.
struct ConfigurationOption: ParsableArguments {
    @Option(
        name: .customLong("config"), help: ArgumentHelp("The configuration file.", valueName: "file"),
        completion: .file(extensions: ["toml"]))
    var file = "/etc/braid/braid.toml"

    /// Reads the file; every error in it goes to standard error, and the exit status is 78.
    func load() throws -> Settings {
        do throws(ConfigurationError) {
            return try Settings.load(path: file, environment: ThisProcess.environment)
        } catch {
            StandardError.write(error.description)
            throw ExitCode.badConfiguration
        }
    }
}
