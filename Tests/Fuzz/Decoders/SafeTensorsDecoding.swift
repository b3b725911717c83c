import BERT
import FuzzDriver

/// Weights: the header, and every tensor's elements.
enum SafeTensorsDecoding {
    private static let file = MemoryFile("model.safetensors")

    static func run(_ input: UnsafeRawBufferPointer) {
        file.fill(input)
        do throws(ModelFileError) {
            let tensors = try SafeTensorsFile(opening: file.path)
            for entry in tensors.header.entries {
                promise(entry.bytes.upperBound <= input.count, "a tensor lies within its file")
                // One element more, so that there is an address for a tensor without any.
                let elements = UnsafeMutablePointer<Float>.allocate(capacity: entry.elementCount + 1)
                defer { elements.deallocate() }
                do throws(ModelFileError) {
                    try tensors.read(entry, into: elements)
                } catch {
                    promise(!error.description.isEmpty, "a refusal says why")
                }
            }
        } catch {
            promise(!error.description.isEmpty, "a refusal says why")
        }
    }
}
