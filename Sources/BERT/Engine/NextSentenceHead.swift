import Glibc
import Kernels

// The next-sentence head: logits = tanh(x0 Wp + bp) Wn + bn over each sequence's first token.
extension LanePass {
    /// Adds the sequences' losses to `losses`.
    func nextSentenceForward(_ batch: TokenBatch, _ losses: inout LaneLosses) throws {
        guard let ranges = layout.heads.nextSentence else { return }
        let (hidden, head, count) = (configuration.hidden, memory.head, packed.sequences)
        for (sequence, read) in packed.firstReads.enumerated() { head.first.copyRow(sequence, from: encoded, read) }
        try dense(ranges.pooler, rows: count, head.first, into: head.pooled, kernel: .headProducts)
        kernels.bias_tanh(
            count, hidden, head.pooled.stride, parameters + ranges.pooler.bias.lowerBound, head.pooled.start)
        try dense(ranges.classifier, rows: count, head.pooled, into: head.nextSentence, kernel: .headProducts)
        kernels.add_bias(
            count, 2, head.nextSentence.stride, parameters + ranges.classifier.bias.lowerBound,
            head.nextSentence.start)
        for sequence in 0..<count {
            let (label, other) = logits(sequence, batch)
            let margin = Double(other) - Double(label)
            // log(1 + e^margin), the cross-entropy of two classes, without overflow.
            losses.nextSentenceLossSum += max(margin, 0) + log1p(exp(-abs(margin)))
            losses.nextSentenceCorrect += label > other ? 1 : 0
        }
    }

    /// The head's and the pooler's gradients, and the residual stream's at first tokens.
    func nextSentenceBackward(_ batch: TokenBatch, _ target: GradientTarget, scale: Float, count lossCount: Int) throws
    {
        guard let ranges = layout.heads.nextSentence else { return }
        let (hidden, head, count) = (configuration.hidden, memory.head, packed.sequences)
        let slope = Double(scale) / Double(max(lossCount, 1))
        for sequence in 0..<count {
            let (label, other) = logits(sequence, batch)
            let wrong = Float(slope / (1 + exp(Double(label) - Double(other))))
            let isRandom = Int(batch.nextSentenceLabels[sequence])
            let slopes = head.nextSentence.row(sequence)
            slopes[isRandom] = -wrong
            slopes[1 - isRandom] = wrong
        }
        try weightGradient(
            ranges.classifier, rows: count, head.nextSentence, head.pooled, target, kernel: .headProducts)
        kernels.column_sum(
            count, 2, head.nextSentence.stride, head.nextSentence.start, target.sum(ranges.classifier.bias))
        try denseBackward(
            ranges.classifier, rows: count, head.nextSentence, into: head.pooledGradient, beta: 0,
            kernel: .headProducts)
        kernels.tanh_backward(
            count, hidden, head.pooled.stride, head.pooled.start, head.pooledGradient.start,
            target.sum(ranges.pooler.bias))
        try weightGradient(
            ranges.pooler, rows: count, head.pooledGradient, head.first, target, kernel: .headProducts)
        try denseBackward(
            ranges.pooler, rows: count, head.pooledGradient, into: head.first, beta: 0, kernel: .headProducts)
        for (sequence, read) in packed.firstReads.enumerated() {
            memory.scratch.gradient.addRow(read, from: head.first, sequence)
        }
    }

    private func logits(_ sequence: Int, _ batch: TokenBatch) -> (label: Float, other: Float) {
        let logits = memory.head.nextSentence.row(sequence)
        let label = Int(batch.nextSentenceLabels[sequence])
        return (logits[label], logits[1 - label])
    }
}
