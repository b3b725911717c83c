import ArgumentParser
import Jobs

/// Variants as `--wafer-variants` names them: two or more, parted by commas, none twice.
struct VariantList: ExpressibleByArgument {
    let variants: [SparsityVariant]

    init?(argument: String) {
        let names = argument.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        let variants = names.compactMap(SparsityVariant.init)
        guard names.count >= 2, variants.count == names.count, Set(names).count == names.count else { return nil }
        self.variants = variants
    }
}
