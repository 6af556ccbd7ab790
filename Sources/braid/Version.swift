/// This program's version, in one place.
enum Version {
    static let text = "0.1.0"
}
