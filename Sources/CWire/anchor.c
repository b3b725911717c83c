#include "cwire.h"
void wm_wire_anchor(void) {}
