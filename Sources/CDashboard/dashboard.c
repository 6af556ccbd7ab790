#include "dashboard.h"

static const unsigned char page[] = {
#embed "files/index.html"
};
static const unsigned char style[] = {
#embed "files/dashboard.css"
};
// One script of a file for each subject, in the order in which they need each other.
static const unsigned char script[] = {
#embed "files/script/quantities.js"
    ,
#embed "files/script/state.js"
    ,
#embed "files/script/nodes.js"
    ,
#embed "files/script/chart.js"
    ,
#embed "files/script/traffic.js"
    ,
#embed "files/script/status.js"
    ,
#embed "files/script/connections.js"
    ,
#embed "files/script/events.js"
    ,
#embed "files/script/stream.js"
};
static const unsigned char icon[] = {
#embed "files/icon.svg"
};
static const unsigned char openapi[] = {
#embed "files/openapi.json"
};

struct dashboard_file dashboard_page(void) { return (struct dashboard_file){page, sizeof page}; }
struct dashboard_file dashboard_style(void) { return (struct dashboard_file){style, sizeof style}; }
struct dashboard_file dashboard_script(void) { return (struct dashboard_file){script, sizeof script}; }
struct dashboard_file dashboard_icon(void) { return (struct dashboard_file){icon, sizeof icon}; }
struct dashboard_file dashboard_openapi(void) { return (struct dashboard_file){openapi, sizeof openapi}; }
