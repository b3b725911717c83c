#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A line of a log: text as it is, or one JSON object where that was asked for.
public enum DiagnosticLine {
    /// How lines look.
    public enum Format: String, Sendable, CaseIterable {
        case text, json
    }

    /// Names of environment variables by which a daemon tells its processes how to write, and who they are.
    public static let formatVariable = "WAFERMARK_LOG_FORMAT"
    public static let runVariable = "WAFERMARK_RUN"
    public static let rankVariable = "WAFERMARK_RANK"

    /// One JSON object: `time` in UTC with milliseconds, `level`, `message`, then `fields`; those whose text is a whole
    /// number, such as a rank, as numbers.
    ///
    /// - Parameter unix: seconds since 1970 began, by the wall clock.
    public static func json(
        at unix: Double, level: String, message: String, fields: [(name: String, value: String)] = []
    ) -> String {
        var object = JSONObjectText()
        object.add("time", UTCText.milliseconds(unix))
        object.add("level", level)
        object.add("message", message)
        for (name, value) in fields {
            if let number = Int(value), "\(number)" == value, numbers.contains(name) {
                object.add(name, number)
            } else {
                object.add(name, value)
            }
        }
        return object.text
    }

    /// Fields that are numbers; a run's id may be all digits, and stays text.
    private static let numbers: Set<String> = ["rank", "step"]

    /// What a process of a run writes about itself: `message`, as the environment wants it.
    public static func own(
        _ message: String, level: String, environment: (String) -> String? = variable, unix: Double = now()
    ) -> String {
        guard environment(formatVariable) == Format.json.rawValue else { return message }
        let fields = [("run", environment(runVariable)), ("rank", environment(rankVariable))]
        return json(
            at: unix, level: level, message: message,
            fields: fields.compactMap { name, value in value.map { (name: name, value: $0) } })
    }

    /// The wall clock, in seconds since 1970 began.
    public static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    /// The environment variable called `name`.
    public static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
