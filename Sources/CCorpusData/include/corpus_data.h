// The data files of the target Corpus as part of the program, so that it runs from anywhere by itself.
//
// They are a C target's and not Swift resources: as Swift array literals they took a quarter of the module's compile time.

#pragma once

#include <stddef.h>

/// A data file's bytes, which are there as long as the program.
typedef struct {
    const void *bytes;
    size_t count;
} CorpusData;

/// What BERT's normaliser does to each code point.
CorpusData corpus_data_unicode(void);
/// The words of the synthetic abstracts.
CorpusData corpus_data_lexicon(void);
/// The sentences of the synthetic abstracts.
CorpusData corpus_data_grammar(void);
