#include "control.pb-c.h"
#include "exchange.pb-c.h"
#include "worker.pb-c.h"
