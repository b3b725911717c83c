/// The profiles that ship with the package, and the way to a user's own.
public enum HardwareCatalogue {
    /// The names of the built-in profiles, clusters first, then wafers.
    public static let names: [String] = resources.map(\.name)

    /// All built-in profiles, in the order of `names`.
    public static func all() throws(PerformanceModelError) -> [HardwareProfile] {
        try builtIn.get()
    }

    /// The profile that `nameOrPath` names: a built-in one, or a YAML file (anything with a slash or ending in `.yaml`
    /// or `.yml`).
    public static func profile(_ nameOrPath: String) throws(PerformanceModelError) -> HardwareProfile {
        if nameOrPath.contains("/") || nameOrPath.hasSuffix(".yaml") || nameOrPath.hasSuffix(".yml") {
            return try HardwareProfile(contentsOf: nameOrPath)
        }
        guard let profile = try all().first(where: { $0.name == nameOrPath }) else {
            throw .unknownName(kind: "hardware profile", name: nameOrPath, known: names)
        }
        return profile
    }

    /// The YAML of a built-in profile, as a start for a user's own; nil where there is none of that name.
    public static func text(of name: String) -> String? {
        resources.first { $0.name == name }.map { String(decoding: $0.bytes, as: UTF8.self) }
    }

    private static let builtIn: Result<[HardwareProfile], PerformanceModelError> = {
        do throws(PerformanceModelError) {
            var profiles: [HardwareProfile] = []
            for resource in resources {
                let profile = try HardwareProfile(
                    parsing: String(decoding: resource.bytes, as: UTF8.self), file: "hardware/\(resource.name).yaml")
                profiles.append(profile)
            }
            return .success(profiles)
        } catch {
            return .failure(error)
        }
    }()

    /// Every file of Resources/hardware. A test holds this list equal to the folder.
    private static let resources: [(name: String, bytes: [UInt8])] = [
        ("dgx1-v100-16g", PackageResources.dgx1_v100_16g_yaml),
        ("dgx1-v100-32g", PackageResources.dgx1_v100_32g_yaml),
        ("dgx2-v100", PackageResources.dgx2_v100_yaml),
        ("dgx2h-v100", PackageResources.dgx2h_v100_yaml),
        ("v100x8-1edr", PackageResources.v100x8_1edr_yaml),
        ("dgx-a100-40g", PackageResources.dgx_a100_40g_yaml),
        ("dgx-a100-80g", PackageResources.dgx_a100_80g_yaml),
        ("dgx-h100", PackageResources.dgx_h100_yaml),
        ("cloud-v100-10gbe", PackageResources.cloud_v100_10gbe_yaml),
        ("cloud-v100-25gbe", PackageResources.cloud_v100_25gbe_yaml),
        ("cloud-v100-100gbe", PackageResources.cloud_v100_100gbe_yaml),
        ("cloud-a100-400gbe", PackageResources.cloud_a100_400gbe_yaml),
        ("cs1", PackageResources.cs1_yaml),
        ("cs2", PackageResources.cs2_yaml),
        ("cs3", PackageResources.cs3_yaml),
    ]
}
