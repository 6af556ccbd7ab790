internal import CDashboard
internal import NIOHTTP1

/// The dashboard's files and the description of the interface, which are compiled in.
enum Asset {
    /// The page may use what comes from here, and nothing else.
    private static let policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

    /// The file at a path.
    static func at(_ path: String) -> CompleteAnswer {
        switch path {
        case "/dashboard.js": unsafe answer("text/javascript; charset=utf-8", unsafe dashboard_script())
        case "/dashboard.css": unsafe answer("text/css; charset=utf-8", unsafe dashboard_style())
        case "/icon.svg": unsafe answer("image/svg+xml", unsafe dashboard_icon())
        case "/openapi.json": unsafe answer("application/json", unsafe dashboard_openapi())
        default:
            unsafe answer("text/html; charset=utf-8", unsafe dashboard_page(), [("Content-Security-Policy", policy)])
        }
    }

    private static func answer(
        _ type: String, _ file: dashboard_file, _ headers: [(name: String, value: String)] = []
    ) -> CompleteAnswer {
        // The arrays are constants of the program: they live as long as it does.
        let bytes = unsafe UnsafeBufferPointer(start: file.bytes, count: file.size)
        return unsafe CompleteAnswer(.ok, type, Array(bytes), headers: headers)
    }
}
