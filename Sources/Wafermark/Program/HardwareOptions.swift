import Foundation

/// Names of hardware profiles.
enum HardwareOptions {
    /// A profile's file by its whole path; a profile's name as it is.
    static func absolute(_ nameOrPath: String) -> String {
        let isFile = nameOrPath.contains("/") || nameOrPath.hasSuffix(".yaml") || nameOrPath.hasSuffix(".yml")
        return isFile ? URL(fileURLWithPath: nameOrPath).standardizedFileURL.path : nameOrPath
    }
}
