// The guides for EDIFACT, directory D.96A and its EANCOM subset.
#include "runtime/integration/edi/guide.hpp"

namespace mainstay::edi {

std::string_view usual_edifact_guides() {
  return R"(
set edifact ORDERS - /header/number
BGM! header (type,type_list,type_agency,type_name) number! purpose response
DTM+ dates (qualifier,value,format)
PAI? payment_instructions (conditions,guarantee,means)
ALI* conditions country duty condition
IMD* descriptions type characteristic text(code,list,agency,name,name2)
FTX* texts qualifier function reference text(line1,line2,line3,line4,line5) language
RFF* references (qualifier,value,line)
  DTM* dates (qualifier,value,format)
NAD* parties qualifier! (id,id_list,id_agency) address(line1,line2) name(name,name2) street(street,street2) \
    city region postal_code country
  LOC* locations qualifier place(id,list,agency,name)
  FII* banks qualifier account(number,holder)
  RFF* references (qualifier,value,line)
    DTM* dates (qualifier,value,format)
  CTA* contacts function (id,name)
    COM* numbers (number,type)
TAX* taxes function type(type) account(account) - rate(-,-,-,percent) category
CUX* currencies (usage,currency,kind) target(usage,currency,kind) rate
  DTM* dates (qualifier,value,format)
PAT* payment_terms type terms(id) time(reference,relation,period,count)
  DTM* dates (qualifier,value,format)
  PCD* percentages (qualifier,percent)
TDT* transports stage conveyance mode(mode) means(means) carrier(id,list,agency,name)
  LOC* locations qualifier place(id,list,agency,name)
TOD* delivery_terms function payment terms(code,list,agency,text)
  LOC* locations qualifier place(id,list,agency,name)
ALC* charges indicator - settlement sequence service(code,list,agency,name)
  MOA* amounts (qualifier,amount,currency)
  PCD* percentages (qualifier,percent)
LIN* lines line action item(id,type) subline(indicator,line)
  PIA* more_ids function id1(id,type) id2(id,type) id3(id,type) id4(id,type) id5(id,type)
  IMD* descriptions type characteristic text(code,list,agency,name,name2)
  MEA* measures purpose detail(property) value(unit,value)
  QTY* quantities (qualifier,quantity,unit)
  ALI* conditions country duty condition
  DTM* dates (qualifier,value,format)
  MOA* amounts (qualifier,amount,currency)
  GIN* numbers qualifier number1(from,to) number2(from,to) number3(from,to)
  FTX* texts qualifier function reference text(line1,line2,line3,line4,line5) language
  PRI* prices (qualifier,price,type,specification,basis,unit)
  RFF* references (qualifier,value,line)
    DTM* dates (qualifier,value,format)
  PAC* packages count detail(level) type(type)
    MEA* measures purpose detail(property) value(unit,value)
  LOC* locations qualifier place(id,list,agency,name)
    QTY* quantities (qualifier,quantity,unit)
    DTM* dates (qualifier,value,format)
  TAX* taxes function type(type) account(account) - rate(-,-,-,percent) category
    MOA* amounts (qualifier,amount,currency)
  NAD* parties qualifier! (id,id_list,id_agency) address(line1,line2) name(name,name2) street(street,street2) \
      city region postal_code country
    LOC* locations qualifier place(id,list,agency,name)
UNS! summary section!
  MOA* amounts (qualifier,amount,currency)
  CNT* counts (qualifier,value,unit)

set edifact DESADV - /header/number
BGM! header (type,type_list,type_agency,type_name) number! purpose response
DTM* dates (qualifier,value,format)
ALI* conditions country duty condition
MEA* measures purpose detail(property) value(unit,value)
MOA* amounts (qualifier,amount,currency)
RFF* references (qualifier,value,line)
  DTM* dates (qualifier,value,format)
NAD* parties qualifier! (id,id_list,id_agency) address(line1,line2) name(name,name2) street(street,street2) \
    city region postal_code country
  LOC* locations qualifier place(id,list,agency,name)
  RFF* references (qualifier,value,line)
  CTA* contacts function (id,name)
    COM* numbers (number,type)
TOD* delivery_terms function payment terms(code,list,agency,text)
  LOC* locations qualifier place(id,list,agency,name)
TDT* transports stage conveyance mode(mode) means(means) carrier(id,list,agency,name)
  LOC* locations qualifier place(id,list,agency,name)
    DTM* dates (qualifier,value,format)
EQD* equipment qualifier (id)
  MEA* measures purpose detail(property) value(unit,value)
  SEL* seals number
CPS* levels id! parent packaging
  FTX* texts qualifier function reference text(line1,line2,line3,line4,line5) language
  PAC* packages count detail(level) type(type)
    MEA* measures purpose detail(property) value(unit,value)
    QTY* quantities (qualifier,quantity,unit)
    PCI* marks instruction text(line1,line2,line3)
      RFF? reference (qualifier,value,line)
      DTM* dates (qualifier,value,format)
      GIN* numbers qualifier number1(from,to) number2(from,to) number3(from,to)
  LIN* lines line action item(id,type) subline(indicator,line)
    PIA* more_ids function id1(id,type) id2(id,type) id3(id,type) id4(id,type) id5(id,type)
    IMD* descriptions type characteristic text(code,list,agency,name,name2)
    MEA* measures purpose detail(property) value(unit,value)
    QTY* quantities (qualifier,quantity,unit)
    ALI* conditions country duty condition
    GIN* numbers qualifier number1(from,to) number2(from,to) number3(from,to)
    DLM? delivery_limits priority
    DTM* dates (qualifier,value,format)
    FTX* texts qualifier function reference text(line1,line2,line3,line4,line5) language
    MOA* amounts (qualifier,amount,currency)
    RFF* references (qualifier,value,line)
      DTM* dates (qualifier,value,format)
    LOC* locations qualifier place(id,list,agency,name)
      QTY* quantities (qualifier,quantity,unit)
    PCI* marks instruction text(line1,line2,line3)
      DTM* dates (qualifier,value,format)
      QTY* quantities (qualifier,quantity,unit)
      GIN* numbers qualifier number1(from,to) number2(from,to) number3(from,to)
    QVR* variances (quantity,qualifier) reason
CNT* counts (qualifier,value,unit)
)";
}

}  // namespace mainstay::edi
