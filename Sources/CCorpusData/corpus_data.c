#include "corpus_data.h"

static const unsigned char unicode[] = {
#embed "Resources/unicode.txt"
};

static const unsigned char lexicon[] = {
#embed "Resources/lexicon.txt"
};

static const unsigned char grammar[] = {
#embed "Resources/grammar.txt"
};

CorpusData corpus_data_unicode(void) { return (CorpusData){unicode, sizeof unicode}; }
CorpusData corpus_data_lexicon(void) { return (CorpusData){lexicon, sizeof lexicon}; }
CorpusData corpus_data_grammar(void) { return (CorpusData){grammar, sizeof grammar}; }
