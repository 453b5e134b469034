// The guides for X12 (004010 and the versions after it, as far as these segments are concerned).
#include "runtime/integration/edi/guide.hpp"

namespace mainstay::edi {

std::string_view usual_x12_guides() {
  return R"(
set x12 850 PO /header/number
BEG! header purpose! type! number! release date! contract
CUR? currency entity currency rate
REF* references qualifier! value description
PER* contacts function name qualifier number
FOB* delivery_terms method location_qualifier description
CSH* sales_requirements code action
SAC* charges indicator code - - amount
ITD* payment_terms type basis discount_percent discount_date discount_days net_date net_days - - - - description
DTM* dates qualifier! date time
TD5* carriers sequence id_qualifier id mode routing
N9* notes qualifier value description
  MSG* texts text!
N1* parties entity! name qualifier id
  N2* more_names name name2
  N3* streets street street2
  N4? place city state postal_code country
  REF* references qualifier! value description
  PER* contacts function name qualifier number
PO1+ lines line quantity unit price price_basis ids[qualifier,value]
  CTP* prices class qualifier price quantity
  PID* descriptions type characteristic agency code text
  MEA* measures reference qualifier value unit
  PO4* packing pack size unit
  REF* references qualifier! value description
  SAC* charges indicator code - - amount
  DTM* dates qualifier! date time
  TD5* carriers sequence id_qualifier id mode routing
  SCH* schedules quantity unit - - qualifier date time
  N1* parties entity! name qualifier id
    N3* streets street street2
    N4? place city state postal_code country
CTT? totals lines! hash
  AMT* amounts qualifier! amount

set x12 855 PR /header/number
BAK! header purpose! type! number! date! release request contract reference acknowledged
CUR? currency entity currency rate
REF* references qualifier! value description
PER* contacts function name qualifier number
DTM* dates qualifier! date time
TD5* carriers sequence id_qualifier id mode routing
N9* notes qualifier value description
  MSG* texts text!
N1* parties entity! name qualifier id
  N2* more_names name name2
  N3* streets street street2
  N4? place city state postal_code country
  REF* references qualifier! value description
  PER* contacts function name qualifier number
PO1* lines line quantity unit price price_basis ids[qualifier,value]
  PID* descriptions type characteristic agency code text
  REF* references qualifier! value description
  DTM* dates qualifier! date time
  ACK* acknowledgements status! quantity unit date_qualifier date number ids[qualifier,value]
    DTM* dates qualifier! date time
CTT? totals lines! hash
  AMT* amounts qualifier! amount

set x12 846 IB /header/number
BIA! header purpose! type! number! date! time action
CUR? currency entity currency rate
DTM* dates qualifier! date time
REF* references qualifier! value description
PER* contacts function name qualifier number
N1* parties entity! name qualifier id
  N2* more_names name name2
  N3* streets street street2
  N4? place city state postal_code country
  REF* references qualifier! value description
LIN* lines line ids[qualifier,value]
  PID* descriptions type characteristic agency code text
  MEA* measures reference qualifier value unit
  DTM* dates qualifier! date time
  CTP* prices class qualifier price quantity
  REF* references qualifier! value description
  QTY* quantities qualifier! quantity unit
    LDT? lead_time code quantity unit date
    MEA* measures reference qualifier value unit
    LS? loop id
    DTM* dates qualifier! date time
    LOC* locations qualifier! value description
  N1* parties entity! name qualifier id
    REF* references qualifier! value description
CTT? totals lines! hash

set x12 856 SH /header/number
BSN! header purpose! number! date! time! structure type
DTM* dates qualifier! date time
HL+ levels id! parent level! has_children
  LIN* items line ids[qualifier,value]
  SN1? shipped line quantity unit to_date ordered ordered_unit - status
  SLN* sublines line - relationship quantity unit
  PRF? order number! release change date line
  PO4* packing pack size unit
  PID* descriptions type characteristic agency code text
  MEA* measures reference qualifier value unit
  TD1* packages packaging quantity - - - weight_qualifier weight weight_unit
  TD5* carriers sequence id_qualifier id mode routing
  TD3* equipment code initial number
  TD4* hazards special_handling qualifier class
  REF* references qualifier! value description
  PER* contacts function name qualifier number
  MAN* marks qualifier! value value2
  DTM* dates qualifier! date time
  FOB? delivery_terms method location_qualifier description
  PAL? pallet type tiers blocks
  N1* parties entity! name qualifier id
    N2* more_names name name2
    N3* streets street street2
    N4? place city state postal_code country
    REF* references qualifier! value description
    PER* contacts function name qualifier number
CTT? totals lines! hash

set x12 940 OW /header/order
W05! header status! order! purchase_order link
N1* parties entity! name qualifier id
  N2* more_names name name2
  N3* streets street street2
  N4? place city state postal_code country
  PER* contacts function name qualifier number
N9* references qualifier! value description
G61* contacts function name qualifier number
NTE* notes code text
G62* dates qualifier! date time_qualifier time
W09* equipment code
W66? carrier payment mode pallet_exchange unit_load routing - - - - code
LX+ lots number!
  MAN* marks qualifier! value value2
  N9* references qualifier! value description
  W01* items quantity! unit! upc ids[qualifier,value]
    G69* descriptions text!
    N9* references qualifier! value description
    NTE* notes code text
    W20? detail pack size unit weight weight_qualifier weight_unit
    QTY* quantities qualifier! quantity unit
    G62* dates qualifier! date time_qualifier time
W76? totals quantity! weight weight_unit volume volume_unit

set x12 944 RE /header/number
W17! header status! date! number! order shipment
N1* parties entity! name qualifier id
  N3* streets street street2
  N4? place city state postal_code country
N9* references qualifier! value description
G62* dates qualifier! date time_qualifier time
NTE* notes code text
W08? carrier mode code routing equipment_initial equipment_number
W07* items quantity! unit! upc ids[qualifier,value]
  G69* descriptions text!
  N9* references qualifier! value description
  W20? detail pack size unit weight weight_qualifier weight_unit
  W13* exceptions quantity! unit! condition!
    N9* references qualifier! value description
W14? totals quantity! shipped difference

set x12 945 SW /header/order
W06! header status! order! date! shipment agent_shipment purchase_order master link
N1* parties entity! name qualifier id
  N2* more_names name name2
  N3* streets street street2
  N4? place city state postal_code country
N9* references qualifier! value description
G61* contacts function name qualifier number
NTE* notes code text
G62* dates qualifier! date time_qualifier time
W27? carrier mode! code routing payment equipment equipment_initial equipment_number
W28? consolidation code
LX+ lots number!
  MAN* marks qualifier! value value2
  N9* references qualifier! value description
  W12* items status! ordered shipped difference unit upc qualifier id lot weight weight_qualifier weight_unit
    G69* descriptions text!
    N9* references qualifier! value description
    QTY* quantities qualifier! quantity unit
    G62* dates qualifier! date time_qualifier time
W03? totals quantity! weight weight_unit volume volume_unit

set x12 997 FA /group/control
AK1! group id! control! version
AK2* transactions set! control! version
  AK3* segments segment! position! loop error
    AK4* elements (position,component,repeat) reference error! value
  AK5! status code! error error2 error3
AK9! result code! included! received! accepted! error
)";
}

}  // namespace mainstay::edi
