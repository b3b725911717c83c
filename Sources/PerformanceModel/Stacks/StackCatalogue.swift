import Foundation

/// The software stacks and fitted constants that ship with the package.
public enum StackCatalogue {
    /// The names of the built-in stacks.
    public static let names: [String] = resources.map(\.name)

    /// The built-in calibration.
    public static func calibration() throws(PerformanceModelError) -> Calibration { try builtIn.get() }

    /// The calibration in `folder`, as a fit wrote it: `shared.yaml`, and a file a stack.
    public static func calibration(in folder: String) throws(PerformanceModelError) -> Calibration {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        } catch {
            throw .unreadable(file: folder, reason: error.localizedDescription)
        }
        var stacks: [SoftwareStack] = []
        for name in names where name.hasSuffix(".yaml") && name != "shared.yaml" {
            let path = folder + "/" + name
            stacks.append(try SoftwareStack(parsing: try InputFile.text(of: path), file: path))
        }
        let path = folder + "/shared.yaml"
        return Calibration(
            stacks: stacks.sorted { $0.name < $1.name },
            shared: try SharedConstants(parsing: try InputFile.text(of: path), file: path))
    }

    /// The given calibration, or the built-in one.
    static func calibration(or given: Calibration?) throws(PerformanceModelError) -> Calibration {
        if let given { given } else { try calibration() }
    }

    private static let builtIn: Result<Calibration, PerformanceModelError> = {
        do throws(PerformanceModelError) {
            var stacks: [SoftwareStack] = []
            for resource in resources {
                let stack = try SoftwareStack(
                    parsing: String(decoding: resource.bytes, as: UTF8.self), file: "stacks/\(resource.name).yaml")
                stacks.append(stack)
            }
            let shared = try SharedConstants(
                parsing: String(decoding: PackageResources.shared_yaml, as: UTF8.self), file: "stacks/shared.yaml")
            return .success(Calibration(stacks: stacks.sorted { $0.name < $1.name }, shared: shared))
        } catch {
            return .failure(error)
        }
    }()

    /// Every file of Resources/stacks but `shared.yaml`. A test holds this list equal to the folder.
    private static let resources: [(name: String, bytes: [UInt8])] = [
        ("mxnet-1.6", PackageResources.mxnet_1_6_yaml),
        ("oneflow-0.1.8", PackageResources.oneflow_0_1_8_yaml),
        ("oneflow-0.1.9", PackageResources.oneflow_0_1_9_yaml),
        ("oneflow-0.2.0", PackageResources.oneflow_0_2_0_yaml),
        ("pytorch-19.07", PackageResources.pytorch_19_07_yaml),
        ("pytorch-20.03", PackageResources.pytorch_20_03_yaml),
        ("pytorch-20.05-ds", PackageResources.pytorch_20_05_ds_yaml),
        ("pytorch-20.06", PackageResources.pytorch_20_06_yaml),
        ("pytorch-21.11", PackageResources.pytorch_21_11_yaml),
        ("tf-19.08", PackageResources.tf_19_08_yaml),
        ("tf-20.03", PackageResources.tf_20_03_yaml),
        ("tf-20.03-xla", PackageResources.tf_20_03_xla_yaml),
        ("tf-20.06", PackageResources.tf_20_06_yaml),
        ("tf2-21.02", PackageResources.tf2_21_02_yaml),
    ]
}
