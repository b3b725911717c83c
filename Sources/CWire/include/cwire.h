void wm_wire_anchor(void);
