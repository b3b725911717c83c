#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <zmq.h>
