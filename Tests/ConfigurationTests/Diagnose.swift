import Configuration

/// The errors of a configuration called `f`, as lines.
func diagnose(_ text: String, environment: [String: String] = [:]) -> [String] {
    do {
        _ = try Settings.load(text: text, file: "f", environment: environment)
        return []
    } catch {
        return error.diagnostics.map(\.description)
    }
}

/// The errors of a relay that otherwise works, with `keys` in it from line 4 on.
func diagnoseRelay(
    _ keys: String, listen: String = "\"tcp://127.0.0.1:1\"", upstream: String = "\"tcp://127.0.0.1:2\""
) -> [String] {
    diagnose("[[relay]]\nlisten = \(listen)\nupstream = \(upstream)\n\(keys)\n")
}
