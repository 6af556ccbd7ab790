internal import ArgumentParser
internal import Configuration

/// `braid check`: is the configuration right?
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Validates the configuration: prints every error with its line and column, or OK.")

    @OptionGroup var configurationFile: ConfigurationOption

    func run() throws {
        let settings = try configurationFile.load()
        print("\(configurationFile.file): OK (\(settings.relays.count) relays)")
    }
}
