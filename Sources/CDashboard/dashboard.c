#include "dashboard.h"

static const unsigned char page[] = {
#embed "files/index.html"
};
static const unsigned char style[] = {
#embed "files/dashboard.css"
};
static const unsigned char script[] = {
#embed "files/dashboard.js"
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
