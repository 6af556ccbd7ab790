internal import FoundationEssentials
internal import MultipathTCP

/// braid.service as it is installed.
enum UnitFiles {
    /// The unit and its drop-ins, one after the other; `nil` when there is none.
    static func text(root: String = "") -> String? {
        let places = ["/etc/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system"]
        guard var text = places.lazy.compactMap({ SystemFile.text("\(root)\($0)/braid.service") }).first else {
            return nil
        }
        for place in places {
            let directory = "\(root)\(place)/braid.service.d"
            let files = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
            for file in files.sorted() where file.hasSuffix(".conf") {
                text += "\n" + (SystemFile.text("\(directory)/\(file)") ?? "")
            }
        }
        return text
    }
}
