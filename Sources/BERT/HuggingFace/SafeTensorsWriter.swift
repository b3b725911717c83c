/// Writes f32 tensors as a safetensors file, whole or not at all.
public enum SafeTensorsWriter {
    /// A tensor to be written; `elements` must stay valid while it is.
    public struct Tensor {
        /// Its name.
        public var name: String
        /// Its dimensions, outermost first; their product is the number of elements.
        public var shape: [Int]
        /// Its elements in row-major order.
        public var elements: UnsafeBufferPointer<Float>

        /// A tensor of the given parts.
        public init(name: String, shape: [Int], elements: UnsafeBufferPointer<Float>) {
            self.name = name
            self.shape = shape
            self.elements = elements
        }
    }

    /// Writes `tensors`, in that order, to `path`.
    ///
    /// - Parameters:
    ///   - metadata: strings for `__metadata__`; `transformers` wants `format` to be `pt`.
    ///   - observe: sees every byte of the file in order, for a digest.
    public static func write(
        _ tensors: [Tensor], metadata: [String: String] = ["format": "pt"], to path: String,
        observe: (UnsafeRawBufferPointer) -> Void = { _ in }
    ) throws(ModelFileError) {
        let json = try header(of: tensors, metadata: metadata, path: path)
        var start = withUnsafeBytes(of: UInt64(json.count).littleEndian) { Array($0) }
        start += json
        let file = try AtomicFile(path: path)
        try file.write(start)
        start.withUnsafeBytes { observe($0) }
        for tensor in tensors {
            let bytes = UnsafeRawBufferPointer(tensor.elements)
            try file.write(bytes)
            observe(bytes)
        }
        try file.commit()
    }

    private static func header(
        of tensors: [Tensor], metadata: [String: String], path: String
    ) throws(ModelFileError) -> [UInt8] {
        var fields = metadata.isEmpty ? [] : ["\"__metadata__\":" + object(metadata)]
        var offset = 0
        var names: Set<String> = []
        for tensor in tensors {
            guard tensor.shape.reduce(1, *) == tensor.elements.count else {
                throw .tensor(
                    file: path, tensor: tensor.name, found: "\(tensor.elements.count) elements",
                    allowed: "the product of its shape \(tensor.shape)")
            }
            guard names.insert(tensor.name).inserted, tensor.name != "__metadata__" else {
                throw .tensor(file: path, tensor: tensor.name, found: "the name twice", allowed: "once")
            }
            let end = offset + tensor.elements.count * 4
            let shape = tensor.shape.map(String.init).joined(separator: ",")
            fields.append(
                "\(quoted(tensor.name)):{\"dtype\":\"F32\",\"shape\":[\(shape)],\"data_offsets\":[\(offset),\(end)]}")
            offset = end
        }
        var json = Array("{\(fields.joined(separator: ","))}".utf8)
        // Data begins at a multiple of 8 bytes, so that readers can map it as it lies.
        while json.count % 8 != 0 { json.append(UInt8(ascii: " ")) }
        return json
    }

    private static func object(_ strings: [String: String]) -> String {
        let members = strings.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(quoted($0.value))" }
        return "{\(members.joined(separator: ","))}"
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\":
                quoted += "\\"
                quoted.unicodeScalars.append(scalar)
            case _ where scalar.value < 0x20 || scalar.value == 0x7f:
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default:
                quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
