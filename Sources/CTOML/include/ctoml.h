/// A C face on toml++ (https://marzer.github.io/tomlplusplus/), because Swift imports C and TOML text is not worth a
/// parser of our own. A document is parsed once into a flat list of nodes: each node is followed by its children, in
/// the order of the source. Nothing throws out of here; every fault is a value.
///
/// toml++ destroys its tree by recursion, so text whose keys have thousands of dotted parts could exhaust the stack:
/// the Swift side (`TOMLStatements`) refuses such keys before it calls `ctoml_parse`.
#ifndef CTOML_H
#define CTOML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// What a node is.
enum __attribute__((enum_extensibility(closed))) ctoml_kind {
    CTOML_TABLE,
    CTOML_ARRAY,
    CTOML_STRING,
    CTOML_INTEGER,
    CTOML_FLOAT,
    CTOML_BOOLEAN,
    /// A date, a time, or both; `text` has it as TOML writes it.
    CTOML_DATETIME,
};

/// Where something begins in the text; both count from 1, columns in Unicode scalars.
struct ctoml_position {
    uint32_t line;
    uint32_t column;
};

/// UTF-8 bytes owned by the document: valid until `ctoml_free`. Not terminated, may contain NUL.
struct ctoml_text {
    const char *bytes;
    size_t length;
};

struct ctoml_node {
    enum ctoml_kind kind;
    /// Where the value begins; of a table written as `[header]`, its opening bracket.
    struct ctoml_position position;
    /// Set for the entries of a table: their key, and where it begins.
    struct ctoml_text key;
    struct ctoml_position key_position;
    /// Of tables and arrays: how many direct children follow.
    size_t child_count;
    /// Of strings and date-times.
    struct ctoml_text text;
    int64_t integer;
    double floating;
    bool boolean;
};

/// A parsed document, or the reason why there is none.
typedef struct ctoml_document ctoml_document;

/// Parses UTF-8 text. The answer is NULL only when memory ran out, and is given back with `ctoml_free`.
ctoml_document *ctoml_parse(const char *text, size_t length);
void ctoml_free(ctoml_document *document);

/// Whether parsing failed; then there are no nodes, and message and position say why.
bool ctoml_failed(const ctoml_document *document);
struct ctoml_text ctoml_error_message(const ctoml_document *document);
struct ctoml_position ctoml_error_position(const ctoml_document *document);

/// The nodes; the first is the root table.
size_t ctoml_node_count(const ctoml_document *document);
/// The node at `index`; past the end, an empty table.
struct ctoml_node ctoml_node_at(const ctoml_document *document, size_t index);

#ifdef __cplusplus
}
#endif

#endif
