// The files of the dashboard and the description of the admin interface, as they are in Sources/CDashboard/files.
#ifndef BRAID_DASHBOARD_H
#define BRAID_DASHBOARD_H

#include <stddef.h>

/// A file that was compiled in.
struct dashboard_file {
    const unsigned char *bytes;
    size_t size;
};

struct dashboard_file dashboard_page(void);
struct dashboard_file dashboard_style(void);
struct dashboard_file dashboard_script(void);
struct dashboard_file dashboard_icon(void);
struct dashboard_file dashboard_openapi(void);

#endif
