import TOML

extension Settings {
    /// Reads and checks a configuration file and the files it includes.
    ///
    /// - Parameters:
    ///   - path: the file; relative `include`s are relative to its directory.
    ///   - environment: what `${NAME}` stands for.
    /// - Throws: every error that was found, also when a file cannot be read (with the system's reason).
    public static func load(path: String, environment: [String: String]) throws(ConfigurationError) -> Settings {
        let problems = TOMLProblems()
        var files = ConfigurationFiles(problems: problems, environment: environment)
        let root = files.read(path: path)
        return try decode(root, file: path, order: files.order, problems: problems)
    }

    /// Reads and checks a configuration that is given as text.
    ///
    /// - Parameters:
    ///   - text: TOML.
    ///   - file: what diagnostics call the text; relative `include`s are relative to its directory.
    ///   - environment: what `${NAME}` stands for.
    /// - Throws: every error that was found.
    public static func load(
        text: String, file: String, environment: [String: String] = [:]
    ) throws(ConfigurationError) -> Settings {
        try load(bytes: Array(text.utf8), file: file, environment: environment)
    }

    /// Reads and checks a configuration that is given as bytes, which are an error where they are not UTF-8; else as
    /// ``load(text:file:environment:)``.
    public static func load(
        bytes: [UInt8], file: String, environment: [String: String] = [:]
    ) throws(ConfigurationError) -> Settings {
        try load(bytes: bytes, file: file, environment: environment, problems: TOMLProblems())
    }

    static func load(
        bytes: [UInt8], file: String, environment: [String: String], problems: TOMLProblems
    ) throws(ConfigurationError) -> Settings {
        var files = ConfigurationFiles(problems: problems, environment: environment)
        let root = files.read(text: bytes, file: file)
        return try decode(root, file: file, order: files.order, problems: problems)
    }

    private static func decode(
        _ root: TOMLTable, file: String, order: [String], problems: TOMLProblems
    ) throws(ConfigurationError) -> Settings {
        var decoder = SettingsDecoder(problems: problems)
        let settings = decoder.decode(root, file: file)
        var diagnostics = problems.list.map(Diagnostic.init)
        diagnostics += settings.conflicts(
            amongRelays: decoder.completeRelays, isWhole: problems.reportsMissing)
        if problems.list.count == TOMLProblems.maximum, let last = problems.list.last {
            diagnostics.append(
                Diagnostic(at: SourceLocation(last.location), "there are more errors", "mend these first"))
        }
        guard diagnostics.isEmpty else {
            throw ConfigurationError(diagnostics: sorted(diagnostics, by: order))
        }
        return settings
    }

    /// By file in the order of reading, then by line and column.
    private static func sorted(_ diagnostics: [Diagnostic], by order: [String]) -> [Diagnostic] {
        // With the offset last, what was found first at one place comes first.
        func rank(_ diagnostic: Diagnostic, _ offset: Int) -> (Int, Int, Int, Int) {
            let location = diagnostic.location
            return (order.firstIndex(of: location.file) ?? order.count, location.line, location.column, offset)
        }
        return diagnostics.enumerated()
            .sorted { rank($0.element, $0.offset) < rank($1.element, $1.offset) }
            .map(\.element)
    }
}
